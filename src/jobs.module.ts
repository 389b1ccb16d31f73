import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditCleanupService } from './audit/audit-cleanup.service';
import { LimitsCleanupService } from './limits/limits-cleanup.service';
import { MailCleanupService } from './mail/mail-cleanup.service';
import { MailWorker } from './mail/mail-worker.service';
import { MailModule } from './mail/mail.module';
import { PasswordModule } from './password/password.module';
import { RecoveryCleanupService } from './recovery/recovery-cleanup.service';
import { RecoveryModule } from './recovery/recovery.module';
import { SessionCleanupService } from './session/session-cleanup.service';
import { HashCensusService } from './user/hash-census.service';
import { NameFoldingService } from './user/name-folding.service';
import { User } from './user/user.entity';

/**
 * What the service does in the background. The service alone: a command that uses the modules of its
 * features starts none of it.
 */
@Module({
  imports: [TypeOrmModule.forFeature([User]), PasswordModule, MailModule, RecoveryModule],
  providers: [
    HashCensusService,
    NameFoldingService,
    SessionCleanupService,
    LimitsCleanupService,
    MailWorker,
    MailCleanupService,
    RecoveryCleanupService,
    AuditCleanupService,
  ],
})
export class JobsModule {}
