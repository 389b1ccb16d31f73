import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** Wrong passwords in a row for one account, or for a name that nobody has; see `GuessLimits`. */
@Entity('password_failure')
export class PasswordFailure {
  /** `user:` and the id, or `name:` and a digest of a name that nobody has. */
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'password_failure_pkey' })
  account!: string;

  /** Those being verified count already. */
  @Column('integer')
  failures!: number;

  /** From when on a stranger may guess again, once there are enough failures for a delay. */
  @Column('timestamptz', { name: 'retry_at' })
  retryAt!: Date;

  /** When the row is of no more use: an account's stays until its password was given. */
  @Index('password_failure_expires_at_idx')
  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;
}
