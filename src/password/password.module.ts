import { Module } from '@nestjs/common';
import { HashQueue } from './hash-queue';
import { PasswordHasher } from './password-hasher';
import { PasswordMaxBytes, PasswordMinLength, UncommonPassword } from './password-rules';

@Module({
  providers: [HashQueue, PasswordHasher, PasswordMaxBytes, PasswordMinLength, UncommonPassword],
  exports: [HashQueue, PasswordHasher],
})
export class PasswordModule {}
