import type { DataSource } from 'typeorm';
import type { DatabaseService } from './database.service';
import { PeriodicJob } from './periodic-job';
import { isMyTurn } from './turns';

const INTERVAL_MS = 10 * 60 * 1000;
/** Rows that one transaction deletes: it holds nobody up. */
const BATCH_ROWS = 1000;

/**
 * What expires: a table and its key, the column that says when, before when it is to go, and what else
 * has to hold.
 */
interface Expiring {
  readonly table: string;
  readonly key: string;
  readonly column: string;
  readonly before: string;
  readonly where?: string;
}

/** Deletes rows that are of no more use; of several processes, one at a time. */
export abstract class ExpiredRowsJob extends PeriodicJob {
  /** @param lock advisory lock of whoever does it */
  protected constructor(
    private readonly dataSource: DataSource,
    database: DatabaseService,
    private readonly lock: number,
    private readonly expiring: readonly Expiring[],
  ) {
    super(database, INTERVAL_MS);
  }

  async run(signal: AbortSignal): Promise<void> {
    for (const rows of this.expiring) {
      let deleted = BATCH_ROWS;
      while (deleted === BATCH_ROWS && !signal.aborted) {
        deleted = await this.deleteBatch(rows);
      }
    }
  }

  private deleteBatch({ table, key, column, before, where = 'true' }: Expiring): Promise<number> {
    return this.dataSource.transaction(async (manager) => {
      if (!(await isMyTurn(manager, this.lock))) return 0;
      const [, count] = await manager.query<[unknown, number]>(
        `DELETE FROM ${table} WHERE (${key}) IN (
           SELECT ${key} FROM ${table} WHERE ${column} <= ${before} AND ${where}
            ORDER BY ${column} LIMIT $1
           FOR UPDATE SKIP LOCKED)`,
        [BATCH_ROWS],
      );
      return count;
    });
  }
}
