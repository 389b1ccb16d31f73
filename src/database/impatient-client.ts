import { Client } from 'pg';

/** What pg says of a query that took longer than `query_timeout`. */
const TOO_LONG = 'Query read timeout';

/** pg's own, whose many forms its types tell one by one. */
const { query: patientQuery } = Client.prototype as { query: (...query: unknown[]) => unknown };

/**
 * A connection that is given up together with a query that took too long. pg only stops waiting for
 * such a query: the connection would go back to the pool with the transaction that it was a part of
 * still open, and what others then write there would never be committed.
 */
export class ImpatientClient extends Client {
  override query = (...query: unknown[]): never => {
    const result = patientQuery.apply(this, query);
    if (result instanceof Promise) {
      result.catch((error: unknown) => {
        if (error instanceof Error && error.message === TOO_LONG) this.giveUp();
      });
    }
    // What comes of each form is known to its caller.
    return result as never;
  };

  /** Without a farewell, which would wait for the query: the server rolls back when it notices. */
  private giveUp(): void {
    const { connection } = this as unknown as {
      readonly connection: { readonly stream: { destroy(): void } };
    };
    connection.stream.destroy();
  }
}
