import type { EventEmitter } from 'node:events';
import { Pool, type PoolClient, type PoolConfig } from 'pg';
import { DatabaseUnavailable } from './database-errors';
import { beginWaiting, PATIENCE_MS, regardlessOfRequest } from './patience';

type Callback = (
  error: Error | undefined,
  client: PoolClient | undefined,
  release: (error?: unknown) => void,
) => void;

/** What a pool tells of: how long, in seconds, somebody waited for a connection, and got one or none. */
export interface ConnectionEvents {
  readonly connected: [seconds: number];
  readonly failed: [seconds: number];
}

/** Configuration of a pool, and who is told. */
type Config = PoolConfig & { readonly events: EventEmitter<ConnectionEvents> };

/** Connections that nobody waits for longer than they have patience. */
export class ImpatientPool extends Pool {
  private readonly events: EventEmitter<ConnectionEvents>;

  constructor({ events, ...config }: Config) {
    super({ ...config, connectionTimeoutMillis: PATIENCE_MS });
    this.events = events;
  }

  override connect(): Promise<PoolClient>;
  override connect(callback: Callback): void;
  override connect(callback?: Callback): Promise<PoolClient> | undefined {
    if (callback !== undefined) {
      this.connectInTime(callback);
      return undefined;
    }
    return new Promise((resolve, reject) => {
      this.connectInTime((error, client) => {
        if (client === undefined) reject(error ?? new DatabaseUnavailable('No connection'));
        else resolve(client);
      });
    });
  }

  private connectInTime(callback: Callback): void {
    let waiting = true;
    const began = performance.now();
    const answer: Callback = (...result) => {
      waiting = false;
      done();
      const [, client] = result;
      const seconds = (performance.now() - began) / 1000;
      this.events.emit(client === undefined ? 'failed' : 'connected', seconds);
      callback(...result);
    };
    const done = beginWaiting(() => {
      answer(new DatabaseUnavailable('No connection in time'), undefined, () => undefined);
    });
    // What nobody waits for any more is for another request.
    regardlessOfRequest(() => {
      super.connect((error, client, release) => {
        if (!waiting) client?.release();
        else if (client !== undefined) answer(undefined, client, release);
        else answer(new DatabaseUnavailable('No connection', error), client, release);
      });
    });
  }
}
