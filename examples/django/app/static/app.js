console.log("served by Caddy from the shared volume");
