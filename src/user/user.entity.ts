import { Column, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm';

/** Names of the reference's constraints; the second and third decide who was first. */
export const USER_PRIMARY_KEY = 'user_pkey';
export const USER_EMAIL_KEY = 'user_email_key';
export const USER_USERNAME_KEY = 'user_username_key';

/** An account: the reference's table, to the letter, and one column more. */
@Entity('user')
@Unique(USER_EMAIL_KEY, ['email'])
@Unique(USER_USERNAME_KEY, ['username'])
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

  /** Tokens of the reference that were issued before are dead; see `ReferenceTokenService`. */
  @Column('timestamptz', {
    name: 'not_before',
    select: false,
    default: () => `date_trunc('second', now())`,
  })
  notBefore!: Date;
}
