import { Column, Entity, Index, PrimaryGeneratedColumn, Unique } from 'typeorm';

/** Names of the reference's constraints; the second and third decide who was first. */
export const USER_PRIMARY_KEY = 'user_pkey';
export const USER_EMAIL_KEY = 'user_email_key';
export const USER_USERNAME_KEY = 'user_username_key';

/** Ours, for names that are the same but for case; see `caseFold`. */
export const USER_FOLDED_KEY = 'user_username_folded_key';

/** What a query selects to get an account as its owner sees it. */
export const ACCOUNT_COLUMNS =
  'id, username, email, email_verified_at AS "emailVerifiedAt"' as const;

/** An account: the reference's table, to the letter, and four columns more. */
@Entity('user')
@Unique(USER_EMAIL_KEY, ['email'])
@Unique(USER_USERNAME_KEY, ['username'])
@Index(USER_FOLDED_KEY, ['usernameFolded'], {
  unique: true,
  where: 'username_folded IS NOT NULL',
})
@Index('user_unfolded_id_idx', ['id'], { where: 'username_folded IS NULL' })
export class User {
  @PrimaryGeneratedColumn({ primaryKeyConstraintName: USER_PRIMARY_KEY })
  id!: number;

  @Column('varchar')
  email!: string;

  /** Hash of the password; read only where one is verified. */
  @Column('varchar', { select: false })
  password!: string;

  @Column('varchar')
  username!: string;

  /**
   * `caseFold` of the name. Null in rows that somebody else wrote until `NameFoldingService` has come
   * to them, and for good where an older account has the same.
   */
  @Column('varchar', { name: 'username_folded', nullable: true, select: false })
  usernameFolded!: string | null;

  /** Tokens of the reference that were issued before are dead; see `ReferenceTokenService`. */
  @Column('timestamptz', {
    name: 'not_before',
    select: false,
    default: () => `date_trunc('second', now())`,
  })
  notBefore!: Date;

  /** When its owner has shown to read the mail of its address; null until then. */
  @Column('timestamptz', { name: 'email_verified_at', nullable: true, select: false })
  emailVerifiedAt!: Date | null;

  /** Since when nobody logs in to it, whatever they know; null for all others. */
  @Column('timestamptz', { name: 'disabled_at', nullable: true, select: false })
  disabledAt!: Date | null;
}
