import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** How often something was done within a window of time: the table of rate-limiter-flexible. */
@Entity('rate_limit')
export class RateLimit {
  /** What is counted, and of whom: a digest of the address, or the id of the account. */
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'rate_limit_pkey' })
  key!: string;

  @Column('integer', { default: 0 })
  points!: number;

  /** When the window ends, in milliseconds since 1970. */
  @Index('rate_limit_expire_idx')
  @Column('bigint', { nullable: true })
  expire!: string | null;
}
