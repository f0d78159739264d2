// Subscriptions: GraphQL over a WebSocket, in the protocol graphql-transport-ws.
// Each has a connection of its own, which ends with it.

/** Whether the operation that is to run is a subscription. */
export function subscribes(document, name) {
  const operations = document?.definitions.filter((d) => d.kind === "OperationDefinition") ?? [];
  const operation = operations.length > 1 ? operations.find((o) => o.name?.value === name) : operations[0];
  return operation?.operation === "subscription";
}

/**
 * Returns what GraphiQL follows: each event goes to next. The headers go into the
 * first message, since a browser sends none of its own with a WebSocket.
 */
export function follow(url, headers, request) {
  return {
    subscribe(follower) {
      const address = new URL(url, location.href);
      address.protocol = address.protocol.replace("http", "ws");
      const socket = new WebSocket(address, "graphql-transport-ws");
      const say = (message) => socket.send(JSON.stringify(message));
      let over = false;
      const end = (problem) => {
        if (over) return;
        over = true;
        socket.close(1000);
        if (problem) follower.error(problem);
        else follower.complete();
      };
      socket.onopen = () => say({ type: "connection_init", payload: headers });
      socket.onclose = ({ code, reason }) => end({ message: reason || `The connection has ended (${code}).` });
      socket.onmessage = ({ data }) => {
        const { type, payload } = JSON.parse(data);
        if (type === "connection_ack") say({ id: "1", type: "subscribe", payload: request });
        if (type === "ping") say({ type: "pong" });
        if (type === "next") follower.next(payload);
        if (type === "error") end(payload[0]);
        if (type === "complete") end();
      };
      return {
        unsubscribe() {
          over = true;
          socket.close(1000);
        },
      };
    },
  };
}
