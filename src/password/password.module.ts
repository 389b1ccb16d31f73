import { Module } from '@nestjs/common';
import { PasswordHasher } from './password-hasher';
import { PasswordMinLength, UncommonPassword } from './password-rules';

@Module({
  providers: [PasswordHasher, PasswordMinLength, UncommonPassword],
  exports: [PasswordHasher],
})
export class PasswordModule {}
