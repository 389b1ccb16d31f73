import { Pool, type PoolClient, type PoolConfig } from 'pg';
import { DatabaseUnavailable } from './database-errors';
import { beginWaiting, PATIENCE_MS, regardlessOfRequest } from './patience';

type Callback = (
  error: Error | undefined,
  client: PoolClient | undefined,
  release: (error?: unknown) => void,
) => void;

/** Connections that nobody waits for longer than they have patience. */
export class ImpatientPool extends Pool {
  constructor(config: PoolConfig) {
    super({ ...config, connectionTimeoutMillis: PATIENCE_MS });
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
    const answer: Callback = (...result) => {
      waiting = false;
      done();
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
