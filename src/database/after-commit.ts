import type { EntityManager, QueryRunner } from 'typeorm';

/** What is to be done once the transaction of a connection is committed. */
const waiting = new WeakMap<QueryRunner, (() => void)[]>();

/**
 * Does something once the transaction of `ServiceDataSource.transaction` is committed, and not if it is
 * rolled back; at once where there is none.
 */
export function afterCommit({ queryRunner }: EntityManager, work: () => void): void {
  if (queryRunner === undefined) {
    work();
    return;
  }
  const others = waiting.get(queryRunner) ?? [];
  waiting.set(queryRunner, [...others, work]);
}

/** Does it: the transaction of this connection is committed. */
export function committed(queryRunner: QueryRunner): void {
  for (const work of waiting.get(queryRunner) ?? []) work();
  waiting.delete(queryRunner);
}
