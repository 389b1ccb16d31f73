import type { DataSource, EntityManager } from 'typeorm';
import { readSnapshot } from '../database/snapshot';
import type { SecurityEvent } from '../logging/security-log';
import type { AuditEvent, Outcome } from './audit-event.entity';

/** Events that are read at once. */
const BATCH_ROWS = 1000;

/** Which events are meant; all that is said has to hold. */
export interface AuditQuery {
  /** Id of an account, which may be gone. */
  readonly account?: number | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  readonly kinds?: readonly SecurityEvent[] | undefined;
  readonly outcome?: Outcome | undefined;
}

const COLUMNS = 'id, at, kind, outcome, account, session, address, operator';

/**
 * The newest events, oldest first, and whether there are older ones.
 *
 * @param before number of the oldest event of the page before
 * @returns undefined when there is no such event, which may have been too old to be kept
 */
export async function newestEvents(
  dataSource: DataSource,
  query: AuditQuery,
  { before, limit }: { readonly before?: number | undefined; readonly limit: number },
): Promise<{ events: AuditEvent[]; more: boolean } | undefined> {
  const { conditions, parameters } = where(query);
  const [[last], events] = await Promise.all([
    dataSource.query<unknown[]>('SELECT FROM audit_event WHERE id = $1::bigint', [before ?? null]),
    dataSource.query<AuditEvent[]>(
      `SELECT ${COLUMNS} FROM audit_event
        WHERE ${conditions}
          AND (at, id) < (SELECT at, id FROM audit_event WHERE id = $6::bigint
                          UNION ALL SELECT 'infinity', 0 WHERE $6::bigint IS NULL)
        ORDER BY at DESC, id DESC LIMIT $7`,
      [...parameters, before ?? null, limit + 1],
    ),
  ]);
  if (before !== undefined && last === undefined) return undefined;
  return { events: events.slice(0, limit).reverse(), more: events.length > limit };
}

/**
 * All of them at one moment, oldest first, some at a time; but for the last minute. An event bears the time
 * at which its transaction has begun, and what is older than a minute is whole: of times that adjoin, none
 * is missed.
 */
export function eventsOf(dataSource: DataSource, query: AuditQuery): AsyncGenerator<AuditEvent[]> {
  return readSnapshot(dataSource, (manager) => batches(manager, query));
}

async function* batches(manager: EntityManager, query: AuditQuery): AsyncGenerator<AuditEvent[]> {
  const { conditions, parameters } = where(query);
  let last: string | null = null;
  for (
    let events: AuditEvent[] = [], first = true;
    first || events.length === BATCH_ROWS;
    first = false
  ) {
    events = await manager.query<AuditEvent[]>(
      `SELECT ${COLUMNS} FROM audit_event
        WHERE ${conditions} AND at < now() - interval '1 minute'
          AND (at, id) > (SELECT at, id FROM audit_event WHERE id = $6::bigint
                          UNION ALL SELECT '-infinity', 0 WHERE $6::bigint IS NULL)
        ORDER BY at, id LIMIT $7`,
      [...parameters, last, BATCH_ROWS],
    );
    if (events.length > 0) yield events;
    last = events.at(-1)?.id ?? last;
  }
}

/** With parameters 1 to 5; what is not asked for is true of every event. */
function where({ account, since, until, kinds, outcome }: AuditQuery): {
  conditions: string;
  parameters: unknown[];
} {
  return {
    conditions: [
      account === undefined ? '$1::bigint IS NULL' : 'account = $1::bigint',
      since === undefined ? '$2::timestamptz IS NULL' : 'at >= $2',
      until === undefined ? '$3::timestamptz IS NULL' : 'at < $3',
      kinds === undefined ? '$4::varchar[] IS NULL' : 'kind = ANY ($4)',
      outcome === undefined ? '$5::varchar IS NULL' : 'outcome = $5',
    ].join(' AND '),
    parameters: [account, since, until, kinds, outcome].map((value) => value ?? null),
  };
}
