import type { DataSource, EntityManager } from 'typeorm';

/**
 * Reads what a database holds at one moment, whatever is written or deleted meanwhile, in a transaction
 * that may last: whoever takes what is read takes their time.
 *
 * @param read what is done in that transaction, which can change nothing
 */
export async function* readSnapshot<T>(
  dataSource: DataSource,
  read: (manager: EntityManager) => AsyncGenerator<T>,
): AsyncGenerator<T> {
  // No `DataSource.transaction`: what has been handed out cannot be tried once more.
  const runner = dataSource.createQueryRunner();
  try {
    await runner.startTransaction('REPEATABLE READ');
    await runner.query('SET TRANSACTION READ ONLY');
    await runner.query('SET LOCAL idle_in_transaction_session_timeout = 0');
    yield* read(runner.manager);
    await runner.commitTransaction();
  } finally {
    // Whoever reads may have stopped; a connection that is lost has no transaction any more.
    if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
    await runner.release();
  }
}
