import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** Where somebody who knew the password of an account has been; see `GuessLimits`. */
@Entity('known_place')
export class KnownPlace {
  @PrimaryColumn('integer', { name: 'user_id', primaryKeyConstraintName: 'known_place_pkey' })
  userId!: number;

  /** Digest of the account and the address. */
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'known_place_pkey' })
  place!: string;

  /** To the day. */
  @Index('known_place_last_login_at_idx')
  @Column('timestamptz', { name: 'last_login_at', default: () => 'now()' })
  lastLoginAt!: Date;
}
