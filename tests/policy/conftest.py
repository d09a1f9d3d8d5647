from judging_fixtures import court

__all__ = ["court"]
