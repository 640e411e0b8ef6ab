// npm packages that bring no types of their own.
declare module "libp2p-crypto";
declare module "libp2p-websocket-star";
declare module "multiaddr";
declare module "peer-id";
declare module "pull-stream";
declare module "ws";
