import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ReferenceTokenService } from './reference-token.service';
import { RefreshToken } from './refresh-token.entity';
import { RefreshTokenService } from './refresh-token.service';
import { RevokedToken } from './revoked-token.entity';
import { SessionService } from './session.service';
import { UserSession } from './user-session.entity';

@Module({
  imports: [TypeOrmModule.forFeature([UserSession, RefreshToken, RevokedToken])],
  providers: [SessionService, RefreshTokenService, ReferenceTokenService],
  exports: [SessionService, RefreshTokenService, ReferenceTokenService],
})
export class SessionModule {}
