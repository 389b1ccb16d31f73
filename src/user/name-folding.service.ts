import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { DatabaseService } from '../database/database.service';
import { PeriodicJob } from '../database/periodic-job';
import { isMyTurn } from '../database/turns';
import { caseFold } from './case-fold';

const INTERVAL_MS = 60 * 1000;
/** Rows that one transaction fills in: logins of theirs wait for it, some 20 ms. */
const BATCH_ROWS = 500;
/** Where it would wait itself, for longer than this, it gives up and comes again. */
const LOCK_TIMEOUT_MS = 100;
/**
 * Longest name that is folded, in code points, each of which makes 12 bytes at most: an entry of an
 * index has room for 2,704. One that can be chosen is shorter.
 */
const MAX_LENGTH = 225;
/** Advisory lock of whoever folds. */
const FOLDING_LOCK = 0x75_61_73_04;

/** An account whose name is to be folded. */
interface Unfolded {
  readonly id: number;
  readonly username: string;
}

/**
 * Fills in the case-folded names of accounts that somebody else wrote: those of before, and those of
 * the FastAPI backend. Where several have the same, the oldest gets it, and the others are reported,
 * once by each process. Everyone goes on logging in by the exact name.
 */
@Injectable()
export class NameFoldingService extends PeriodicJob {
  private readonly reported = new Set<number>();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    database: DatabaseService,
  ) {
    super(database, INTERVAL_MS);
  }

  async run(signal: AbortSignal): Promise<void> {
    for (let last: number | undefined = 0; last !== undefined && !signal.aborted;) {
      last = await this.foldBatch(last);
    }
  }

  /**
   * Folds the names of some accounts.
   *
   * @param after id of the last account of the batch before
   * @returns id of the last account of this one, if there may be more
   */
  private foldBatch(after: number): Promise<number | undefined> {
    return this.dataSource.transaction(async (manager) => {
      if (!(await isMyTurn(manager, FOLDING_LOCK))) return undefined;
      await manager.query(`SET LOCAL lock_timeout = ${String(LOCK_TIMEOUT_MS)}`);
      // Who is being renamed is left for later: the rename folds the name itself.
      const accounts = await manager.query<Unfolded[]>(
        `SELECT id, username FROM "user"
          WHERE username_folded IS NULL AND id > $1 AND char_length(username) <= $2
          ORDER BY id LIMIT $3
          FOR NO KEY UPDATE SKIP LOCKED`,
        [after, MAX_LENGTH, BATCH_ROWS],
      );
      await this.fold(manager, accounts);
      return accounts.at(BATCH_ROWS - 1)?.id;
    });
  }

  /** Fails if somebody takes one of these names at this moment. */
  private async fold(manager: EntityManager, accounts: readonly Unfolded[]): Promise<void> {
    if (accounts.length === 0) return;
    const names = [
      accounts.map(({ id }) => id),
      accounts.map(({ username }) => caseFold(username)),
    ];
    await manager.query(
      `UPDATE "user" SET username_folded = oldest.folded
         FROM (SELECT DISTINCT ON (folded) id, folded
                 FROM unnest($1::int[], $2::varchar[]) AS name (id, folded)
                ORDER BY folded, id) AS oldest
        WHERE "user".id = oldest.id
          AND NOT EXISTS (SELECT FROM "user" AS other WHERE other.username_folded = oldest.folded)`,
      names,
    );
    const collisions = await manager.query<{ id: number; other: number }[]>(
      `SELECT name.id, other.id AS other
         FROM unnest($1::int[], $2::varchar[]) AS name (id, folded)
         JOIN "user" AS other ON other.username_folded = name.folded
        WHERE other.id <> name.id
        ORDER BY name.id`,
      names,
    );
    this.report(collisions);
  }

  private report(collisions: readonly { id: number; other: number }[]): void {
    const unknown = collisions.filter(({ id }) => !this.reported.has(id));
    if (unknown.length === 0) return;
    for (const { id } of unknown) this.reported.add(id);
    const pairs = unknown.map(({ id, other }) => `${String(id)} and ${String(other)}`).join(', ');
    this.logger.warn(`Accounts whose names differ in case only: ${pairs}. Both keep working`);
  }
}
