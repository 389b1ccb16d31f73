import type { DataSource } from 'typeorm';
import type { MailKind } from './mail.entity';

/** A mail as whoever runs the service sees it. */
export interface OutboxEntry {
  readonly id: string;
  readonly kind: MailKind;
  readonly recipient: string;
  readonly state: 'waiting' | 'sent' | 'dead';
  readonly attempts: number;
  readonly created_at: Date;
  /** When it is tried (again), if it is. */
  readonly next_attempt_at: Date | null;
  /** What the mail server said last. */
  readonly failure: string | null;
}

const STATE = `CASE WHEN sent_at IS NOT NULL THEN 'sent'
                    WHEN next_attempt_at IS NULL THEN 'dead' ELSE 'waiting' END`;
/** A day more, in which somebody may want it after all. */
const PROLONGED = `greatest(expires_at, now() + interval '1 day')`;

/** What is in the outbox, oldest first. @param deadOnly leaves out what was or will be sent */
export function listMails(dataSource: DataSource, deadOnly: boolean): Promise<OutboxEntry[]> {
  return dataSource.query<OutboxEntry[]>(
    `SELECT id, kind, recipient, ${STATE} AS state, attempts, created_at, next_attempt_at, failure
       FROM mail WHERE NOT $1 OR ${STATE} = 'dead' ORDER BY id`,
    [deadOnly],
  );
}

/** Has dead letters sent after all, with a new token each. @returns the ids of those that were dead */
export async function retryMails(
  dataSource: DataSource,
  ids: readonly string[],
): Promise<string[]> {
  // Of an UPDATE, TypeORM answers the rows and how many they are.
  const [rows] = await dataSource.query<[{ id: string }[], number]>(
    `UPDATE mail SET next_attempt_at = now(), attempts = 0, expires_at = ${PROLONGED}
      WHERE id = ANY ($1) AND ${STATE} = 'dead' RETURNING id`,
    [ids],
  );
  return rows.map(({ id }) => id);
}
