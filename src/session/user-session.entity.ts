import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { User } from '../user/user.entity';

/** A login. A token that names it is good as long as this row is there and has not expired. */
@Entity('user_session')
@Index('user_session_user_id_idx', ['userId', 'createdAt'])
export class UserSession {
  /** The `sid` of its tokens. */
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'user_session_pkey' })
  id!: string;

  @Column('integer', { name: 'user_id' })
  userId!: number;

  @ManyToOne(() => User, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'user_session_user_id_fkey' })
  user?: User;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  /** To the minute. */
  @Column('timestamptz', { name: 'last_used_at', default: () => 'now()' })
  lastUsedAt!: Date;

  /** When its token expires, or its refresh token if it is not used until then. */
  @Index('user_session_expires_at_idx')
  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  /** Tokens that name an earlier one are dead: each change of name begins a new one. */
  @Column('integer', { default: 0 })
  generation!: number;

  /** Where the login came from. */
  @Column('varchar', { nullable: true })
  ip!: string | null;

  @Column('varchar', { name: 'user_agent', nullable: true })
  userAgent!: string | null;
}

/** What a query selects to know how many whole seconds a login has left. */
export const SECONDS_LEFT = 'floor(extract(epoch FROM expires_at - now()))::int AS seconds_left';
