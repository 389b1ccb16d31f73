import { Check, Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';
import type { SecurityEvent } from '../logging/security-log';

/** What came of what was tried. */
export type Outcome = 'success' | 'failure';

/**
 * Something that happened to an account. The service adds events, and changes none: with a role of its
 * own (`DB_SERVICE_ROLE`), it cannot. When an account is deleted, a trigger adds that, and takes the
 * addresses away; the rest stays until it is older than `AUDIT_RETENTION_DAYS`.
 */
@Entity('audit_event')
@Index('audit_event_account_idx', ['account', 'at', 'id'])
@Index('audit_event_at_idx', ['at', 'id'])
@Check('audit_event_kind', `kind ~ '^[a-z_]{1,64}$'`)
@Check('audit_event_outcome', `outcome IN ('success', 'failure')`)
export class AuditEvent {
  /** PostgreSQL numbers them, in about the order in which they happened. */
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'ALWAYS',
    primaryKeyConstraintName: 'audit_event_pkey',
  })
  id!: string;

  @Column('timestamptz', { default: () => 'now()' })
  at!: Date;

  @Column('varchar')
  kind!: SecurityEvent;

  @Column('varchar')
  outcome!: Outcome;

  /** Id of the account, which may be gone; null if nobody has the name that was tried. */
  @Column('integer', { nullable: true })
  account!: number | null;

  /** The login that it was done with, or that began or ended. */
  @Column('uuid', { nullable: true })
  session!: string | null;

  /** Where it was asked for. */
  @Column('varchar', { nullable: true })
  address!: string | null;

  /** Who did it at the machine, if an operator did. */
  @Column('varchar', { nullable: true })
  operator!: string | null;
}
