import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { RecoveryToken } from './recovery-token.entity';
import { RecoveryTokenService } from './recovery-token.service';

@Module({
  imports: [TypeOrmModule.forFeature([RecoveryToken])],
  providers: [RecoveryTokenService],
  exports: [RecoveryTokenService],
})
export class RecoveryModule {}
