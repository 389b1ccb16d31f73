import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { MailComposer } from '../mail/mail-composer';
import { RecoveryMails } from './recovery-mails.service';
import { RecoveryToken } from './recovery-token.entity';
import { RecoveryTokenService } from './recovery-token.service';

@Module({
  imports: [TypeOrmModule.forFeature([RecoveryToken])],
  providers: [RecoveryTokenService, { provide: MailComposer, useClass: RecoveryMails }],
  exports: [RecoveryTokenService, MailComposer],
})
export class RecoveryModule {}
