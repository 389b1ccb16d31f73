import type { EntityManager, QueryRunner } from 'typeorm';

/** What is to be done once the transaction of a connection is committed. */
const waiting = new WeakMap<QueryRunner, (() => void)[]>();

/**
 * Does something once the transaction of `ServiceDataSource.transaction` is committed, and not if it is
 * rolled back; at once where there is none.
 *
 * @throws Error in a transaction that somebody else has begun, whose end nobody tells of
 */
export function afterCommit({ queryRunner }: EntityManager, work: () => void): void {
  if (queryRunner === undefined) {
    work();
    return;
  }
  const others = waiting.get(queryRunner);
  if (others === undefined) throw new Error('This is no transaction of ServiceDataSource');
  others.push(work);
}

/** A transaction has begun on a connection. @returns what to call when it is committed */
export function beginTransaction(queryRunner: QueryRunner): () => void {
  const work: (() => void)[] = [];
  waiting.set(queryRunner, work);
  return () => {
    for (const one of work) one();
  };
}
