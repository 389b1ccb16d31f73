import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { DatabaseService } from '../database/database.service';
import { PeriodicJob } from '../database/periodic-job';
import { isMyTurn } from '../database/turns';

const INTERVAL_MS = 10 * 60 * 1000;
/** Of several processes, one prunes: what another has not committed yet is not to be taken for done. */
const PRUNE_LOCK = 0x75_61_73_08;

/**
 * Has the events deleted that are older than `AUDIT_RETENTION_DAYS`, and the addresses of accounts that
 * are gone, some at a time, by a function of the owner: the service itself may change none.
 */
@Injectable()
export class AuditCleanupService extends PeriodicJob {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    database: DatabaseService,
  ) {
    super(database, INTERVAL_MS);
  }

  async run(signal: AbortSignal): Promise<void> {
    let changed = 1;
    while (changed > 0 && !signal.aborted) {
      changed = await this.dataSource.transaction(async (manager) => {
        if (!(await isMyTurn(manager, PRUNE_LOCK))) return 0;
        const [result] = await manager.query<[{ changed: number }]>(
          'SELECT audit_prune() AS changed',
        );
        return result.changed;
      });
    }
  }
}
