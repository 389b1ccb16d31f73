import type { EntityManager } from 'typeorm';

/**
 * Whether a transaction may do what only one of all processes does at a time; nobody else's may until it
 * ends. Does not wait.
 *
 * @param lock advisory lock of what is done
 */
export async function isMyTurn(manager: EntityManager, lock: number): Promise<boolean> {
  const [{ mine }] = await manager.query<[{ mine: boolean }]>(
    'SELECT pg_try_advisory_xact_lock($1) AS mine',
    [lock],
  );
  return mine;
}
