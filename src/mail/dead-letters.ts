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

/** Mails that are listed at once. */
export const MOST_LISTED = 1000;

const STATE = `CASE WHEN sent_at IS NOT NULL THEN 'sent'
                    WHEN next_attempt_at IS NULL THEN 'dead' ELSE 'waiting' END`;
/** A day more, in which somebody may want it after all. */
const PROLONGED = `greatest(expires_at, now() + interval '1 day')`;

/**
 * The newest mails of the outbox, oldest first, and whether there are older ones.
 *
 * @param deadOnly leaves out what was or will be sent
 */
export async function listMails(
  dataSource: DataSource,
  deadOnly: boolean,
): Promise<{ mails: OutboxEntry[]; more: boolean }> {
  const mails = await dataSource.query<OutboxEntry[]>(
    `SELECT id, kind, recipient, ${STATE} AS state, attempts, created_at, next_attempt_at, failure
       FROM mail WHERE NOT $1 OR ${STATE} = 'dead' ORDER BY id DESC LIMIT $2`,
    [deadOnly, MOST_LISTED + 1],
  );
  return { mails: mails.slice(0, MOST_LISTED).reverse(), more: mails.length > MOST_LISTED };
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
