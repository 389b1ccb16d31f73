import pg, { type Client, type ClientConfig } from 'pg';
import { databaseErrorCode } from './database-errors';

/** Settings of PostgreSQL that are to hold on a connection: values by name, as it shows them. */
export type SessionSettings = Readonly<Record<string, string>>;

/** SQLSTATE with which PgBouncer and others refuse what they cannot keep apart for their clients. */
const REFUSED = ['08P01', '0A000'];

/** pg's own, whose many forms its types tell one by one. */
type Query = (...query: unknown[]) => unknown;

/** They hold from the beginning of a connection to its end: its parameter `options`. */
export function asOptions(settings: SessionSettings): string {
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value.replace(/[\\ ]/g, '\\$&')}`)
    .join(' ');
}

/**
 * Whether they hold, said at the beginning of a connection. They do where PostgreSQL itself listens;
 * a pooler that hands connections on between two transactions refuses to be told, or does not tell.
 *
 * @throws Error when there is no connection
 */
export async function sessionSettingsHold(
  connection: ClientConfig,
  settings: SessionSettings,
): Promise<boolean> {
  const client = new pg.Client({
    ...connection,
    // A server that lets in, and then says nothing, is no connection either.
    query_timeout: connection.connectionTimeoutMillis,
    options: asOptions(settings),
  });
  // A connection that is lost fails the statement, too.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ hold: boolean }>(
      `SELECT bool_and(current_setting(name) = value) AS hold
         FROM unnest($1::text[], $2::text[]) AS asked (name, value)`,
      [Object.keys(settings), Object.values(settings)],
    );
    return rows[0]?.hold === true;
  } catch (error) {
    if (REFUSED.includes(databaseErrorCode(error))) return false;
    throw error;
  } finally {
    // Who says nothing more does not answer a farewell either.
    void client.end().catch(() => undefined);
  }
}

/**
 * Has them hold for each transaction by itself, and for nobody else whom a pooler gives the same
 * connection to PostgreSQL: they are said together with its beginning. A statement that is in none
 * is made one, unless it only reads.
 */
export function holdInTransactions(Base: typeof Client, settings: SessionSettings): typeof Client {
  const begin = `START TRANSACTION${asStatements(settings)}`;
  return class extends Base {
    override query(...query: unknown[]): never {
      // What comes of each form is known to its caller.
      return this.held(query) as never;
    }

    private send(...query: unknown[]): unknown {
      return (super.query as Query).apply(this, query);
    }

    private held(query: unknown[]): unknown {
      const [text] = query;
      if (text === 'START TRANSACTION') return this.send(begin);
      const isOfTransaction = this.getTransactionStatus() !== 'I';
      const onlyReads = typeof text !== 'string' || /^\s*SELECT\b/.test(text);
      return isOfTransaction || onlyReads ? this.send(...query) : this.alone(query);
    }

    private async alone(query: unknown[]): Promise<unknown> {
      try {
        await this.send(begin);
        const result = await this.send(...query);
        await this.send('COMMIT');
        return result;
      } catch (error) {
        // On a connection that is lost, the server does so by itself.
        await Promise.resolve(this.send('ROLLBACK')).catch(() => undefined);
        throw error;
      }
    }
  };
}

function asStatements(settings: SessionSettings): string {
  return Object.entries(settings)
    .map(([name, value]) => {
      // For a transaction that has begun, what others begin with comes too late.
      const ofTransaction = name.replace(/^default_(?=transaction_)/, '');
      return `; SET LOCAL ${ofTransaction} = ${pg.escapeLiteral(value)}`;
    })
    .join('');
}
