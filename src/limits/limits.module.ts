import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { GuessLimits } from './guess-limits.service';
import { Limits } from './limits.service';
import { PasswordFailure } from './password-failure.entity';
import { Pseudonyms } from './pseudonyms';

@Module({
  imports: [TypeOrmModule.forFeature([PasswordFailure])],
  providers: [Limits, GuessLimits, Pseudonyms],
  exports: [Limits, GuessLimits],
})
export class LimitsModule {}
