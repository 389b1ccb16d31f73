import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { User } from '../user/user.entity';

/** What a token that is sent by mail is good for. */
export type Purpose =
  /** Another password. */
  | 'reset'
  /** The address, which the account has, is its owner's. */
  | 'verify'
  /** The address becomes the account's. */
  | 'change'
  /** The address becomes the account's again. */
  | 'revert'
  /** Nothing: nobody has it. So long as it is there, no other account gets the address. */
  | 'kept';

/**
 * A token that was sent by mail, and not used yet. Whoever has it reads the mail of an address; what
 * is known here is its digest.
 */
@Entity('recovery_token')
export class RecoveryToken {
  /** SHA-256 of the token. */
  @PrimaryColumn('bytea', { primaryKeyConstraintName: 'recovery_token_pkey' })
  hash!: Buffer;

  @Index('recovery_token_user_id_idx')
  @Column('integer', { name: 'user_id' })
  userId!: number;

  @ManyToOne(() => User, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'recovery_token_user_id_fkey' })
  user?: User;

  @Column('varchar')
  purpose!: Purpose;

  /** Where it was sent. */
  @Index('recovery_token_email_idx')
  @Column('varchar')
  email!: string;

  @Index('recovery_token_expires_at_idx')
  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  /** Mail that it was made for. Of two changes of address, the later one has the greater. */
  @Column('bigint', { name: 'mail_id', nullable: true })
  mailId!: string | null;

  /** Keyed digest of the code that is typed instead of it, if there is one. */
  @Column('bytea', { name: 'code_hash', nullable: true })
  codeHash!: Buffer | null;

  @Column('timestamptz', { name: 'code_expires_at', nullable: true })
  codeExpiresAt!: Date | null;

  /** How often a code was tried, right or wrong. */
  @Column('integer', { name: 'code_tries', default: 0 })
  codeTries!: number;
}
