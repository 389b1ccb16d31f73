import { Client, type ClientConfig } from 'pg';
import { DatabaseUnavailable, isReadOnly } from './database-errors';
import { beginWaiting } from './patience';

/** pg's own, whose many forms its types tell one by one. */
const { query: patientQuery } = Client.prototype as { query: (...query: unknown[]) => unknown };

/**
 * A connection that is given up together with a statement that nobody waits for any more. It would
 * otherwise go back to the pool with the transaction that the statement was a part of still open,
 * and what others then write there would never be committed.
 */
export class ImpatientClient extends Client {
  constructor(config?: ClientConfig) {
    super(config);
    // Whoever uses it hears of an error by what they wait for, and the pool by itself. In between, when
    // it was just handed out, nobody listens: a server that lets in and stops in the same breath would
    // end the process.
    this.on('error', () => undefined);
  }

  override query(...query: unknown[]): never {
    const result = patientQuery.apply(this, query);
    if (result instanceof Promise) {
      const done = beginWaiting(() => {
        this.giveUp('No answer in time');
      });
      result.then(done, (error: unknown) => {
        done();
        if (isReadOnly(error)) this.giveUp('The server takes no writes');
      });
    }
    // What comes of each form is known to its caller.
    return result as never;
  }

  /** Without a farewell, which would wait for the statement: the server rolls back when it notices. */
  private giveUp(why: string): void {
    // What its types do not tell of.
    const { connection } = this as unknown as {
      readonly connection: { readonly stream: { destroy(error: Error): void } };
    };
    connection.stream.destroy(new DatabaseUnavailable(why));
  }
}
