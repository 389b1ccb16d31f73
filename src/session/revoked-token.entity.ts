import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** Tokens of the reference that are dead though they have not expired; see `ReferenceTokenService`. */
@Entity('revoked_token')
export class RevokedToken {
  /** SHA-256 of what a token says, or of the name it says it of. */
  @PrimaryColumn('bytea', { primaryKeyConstraintName: 'revoked_token_pkey' })
  digest!: Buffer;

  /** Tokens issued before this are dead. */
  @Column('timestamptz', { name: 'issued_before' })
  issuedBefore!: Date;

  /** When they have expired by themselves, and this row is of no more use. */
  @Index('revoked_token_expires_at_idx')
  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;
}
