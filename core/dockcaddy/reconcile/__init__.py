"""The loop: engines are watched, a configuration is made of them and delivered."""
