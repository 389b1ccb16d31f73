import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryGeneratedColumn } from 'typeorm';
import { User } from '../user/user.entity';
import type { ComposedMail } from './mail-composer';

/** What a mail is about. */
export type MailKind =
  /** Somebody has forgotten the password. */
  | 'reset'
  /** Whether the address is theirs. */
  | 'verify'
  /** Whether the address that an account is to have is theirs; sent there. */
  | 'change'
  /** That an account is to have another address; sent to the one it has. */
  | 'changing';

export type MailLanguage = 'ko' | 'en';

/**
 * The outbox: a mail that is to be sent, was sent, or could not be. It says what about and to whom;
 * the words, and the token in them, are made when it is sent, so that no secret waits here.
 */
@Entity('mail')
export class Mail {
  @PrimaryGeneratedColumn({ type: 'bigint', primaryKeyConstraintName: 'mail_pkey' })
  id!: string;

  @Column('varchar')
  kind!: MailKind;

  /** Whose account it is about; null where that is to be found out by the recipient. */
  @Index('mail_user_id_idx')
  @Column('integer', { name: 'user_id', nullable: true })
  userId!: number | null;

  @ManyToOne(() => User, { onDelete: 'CASCADE', nullable: true })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'mail_user_id_fkey' })
  user?: User | null;

  /** Address that it is for, or that somebody has typed to be written to. */
  @Column('varchar')
  recipient!: string;

  @Column('varchar')
  language!: MailLanguage;

  @Index('mail_created_at_idx')
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  /** From then on nobody waits for it any more, and it is not sent. */
  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('integer', { default: 0 })
  attempts!: number;

  /** When it is due; null once it was sent, or will never be. Whoever sends it puts this off first. */
  @Index('mail_next_attempt_at_idx', { where: 'next_attempt_at IS NOT NULL' })
  @Column('timestamptz', { name: 'next_attempt_at', nullable: true, default: () => 'now()' })
  nextAttemptAt!: Date | null;

  @Column('timestamptz', { name: 'sent_at', nullable: true })
  sentAt!: Date | null;

  /** What the mail server said last, or why it will never be sent. */
  @Column('varchar', { nullable: true })
  failure!: string | null;

  /** Where there is no mail server, what would have been sent. */
  @Column('jsonb', { nullable: true })
  content!: ComposedMail | null;
}
