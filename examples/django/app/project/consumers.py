"""WebSockets."""

import socket

from channels.generic.websocket import AsyncWebsocketConsumer


class Echo(AsyncWebsocketConsumer):
    """Says back what it hears, to everybody who is connected."""

    async def connect(self) -> None:
        """Join the group."""
        await self.channel_layer.group_add("echo", self.channel_name)
        await self.accept()
        await self.send(text_data=f"connected to {socket.gethostname()}")

    async def disconnect(self, code: int) -> None:
        """Leave the group."""
        await self.channel_layer.group_discard("echo", self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Pass it on through Redis."""
        await self.channel_layer.group_send("echo", {"type": "say", "text": text_data or ""})

    async def say(self, event: dict[str, str]) -> None:
        """Send to this connection."""
        await self.send(text_data=event["text"])
