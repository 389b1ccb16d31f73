import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { UserSession } from './user-session.entity';

/** A refresh token of a login. Those that were used stay, to be recognised if they come again. */
@Entity('refresh_token')
export class RefreshToken {
  /** SHA-256 of the token. */
  @PrimaryColumn('bytea', { primaryKeyConstraintName: 'refresh_token_pkey' })
  hash!: Buffer;

  @Index('refresh_token_session_id_idx')
  @Column('uuid', { name: 'session_id' })
  sessionId!: string;

  @ManyToOne(() => UserSession, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn({ name: 'session_id', foreignKeyConstraintName: 'refresh_token_session_id_fkey' })
  session?: UserSession;

  @Column('timestamptz', { name: 'used_at', nullable: true })
  usedAt!: Date | null;
}
