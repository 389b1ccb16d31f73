import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Where a connection is cut: what the client says then, and whether the server still hears it. */
interface CutPoint {
  readonly said: RegExp;
  readonly heard: boolean;
}

/** What PostgreSQL says last of letting somebody in: ReadyForQuery, in no transaction. */
const READY = Buffer.from('Z\0\0\0\x05I', 'latin1');
/** And when an administrator ends it: ErrorResponse. */
const DISMISSED = Buffer.from('E\0\0\0\x25SFATAL\0VFATAL\0C57P01\0Mdismissed\0\0', 'latin1');

/** Stands between the service and its database, over TCP, and does what networks do. */
export class FaultProxy {
  private readonly server: Server;
  private readonly pairs = new Set<readonly [client: Socket, server: Socket]>();
  /** Connections that there have been. */
  opened = 0;
  private delayMs = 0;
  private cutPoint: CutPoint | undefined;
  private unanswered: RegExp | undefined;
  /** Told once the connection has been cut. */
  private cut = (): void => undefined;

  private constructor(private readonly socketPath: string) {
    this.server = createServer((client) => {
      this.connect(client);
    });
  }

  /** @param socketPath of a PostgreSQL server */
  static async before(socketPath: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(socketPath);
    await proxy.listen();
    return proxy;
  }

  /** Settings with which the service goes through here. */
  get environment(): Record<string, string> {
    const { port } = this.server.address() as AddressInfo;
    return { INSTANCE_HOST: '127.0.0.1', DB_PORT: String(port) };
  }

  /** Whatever the server says takes so long from now on. */
  delay(ms: number): void {
    this.delayMs = ms;
  }

  /** A connection on which the client says this from now on hears nothing more; without it, none. */
  fallSilentAt(said?: RegExp): void {
    this.unanswered = said;
  }

  /** Connections that there are. */
  get open(): number {
    return this.pairs.size;
  }

  /** Whether everybody who is let in from now on is dismissed in the same breath. */
  dismissing = false;

  /** Every connection is lost, and what was held up with them. */
  cutAll(): void {
    for (const pair of this.pairs) this.drop(pair);
  }

  /**
   * Cuts one connection, once: the next on which the client says this.
   *
   * @param heard whether the server gets it, and the client only never hears what comes of it
   * @returns when it has happened
   */
  cutAt(said: RegExp, { heard }: { heard: boolean }): Promise<void> {
    this.cutPoint = { said, heard };
    return new Promise((resolve) => {
      this.cut = resolve;
    });
  }

  async close(): Promise<void> {
    this.cutAll();
    this.server.close();
    await once(this.server, 'close');
  }

  private async listen(): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
  }

  private connect(client: Socket): void {
    this.opened += 1;
    const server = connect(this.socketPath);
    const pair = [client, server] as const;
    this.pairs.add(pair);
    let deaf = false;
    let silent = false;
    client.on('data', (data) => {
      const point = this.cutPoint;
      silent ||= this.unanswered?.test(data.toString('latin1')) === true;
      if (point?.said.test(data.toString('latin1')) !== true) {
        server.write(data);
        return;
      }
      this.cutPoint = undefined;
      if (!point.heard) {
        this.drop(pair);
        this.cut();
        return;
      }
      deaf = true;
      server.write(data);
    });
    server.on('data', (data) => {
      if (this.dismissing && data.subarray(-READY.length).equals(READY)) {
        client.end(Buffer.concat([data, DISMISSED]));
      } else if (deaf) {
        this.drop(pair);
        this.cut();
      } else if (silent) {
        return;
      } else if (this.delayMs > 0) {
        setTimeout(() => client.write(data), this.delayMs);
      } else {
        client.write(data);
      }
    });
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.drop(pair);
      });
    }
  }

  private drop(pair: readonly [Socket, Socket]): void {
    this.pairs.delete(pair);
    for (const socket of pair) socket.destroy();
  }
}
