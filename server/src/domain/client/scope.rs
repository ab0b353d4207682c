//! What a client may do, and how it gets tokens: two closed lists of names.

/// What a client may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Stage, show, activate and give up batches.
    Issue,
    /// Redeem codes.
    Redeem,
    /// Read status and events.
    Read,
    /// End batches and forget accounts.
    Revoke,
    /// Read accounts.
    ReadUsers,
    /// Add accounts.
    CreateUsers,
    /// Regenerate an account's codes, take its authenticators.
    UpdateUsers,
    /// Forget accounts.
    DeleteUsers,
    /// Read which factors are offered.
    ReadFactors,
    /// Switch factors on and off.
    UpdateFactors,
    /// Read who must prove a second factor.
    ReadPolicies,
    /// Say who must prove a second factor.
    UpdatePolicies,
    /// Read an account's methods.
    ReadMethods,
    /// Take an account's methods.
    DeleteMethods,
    /// Read one enrollment by its name.
    ReadEnrollments,
    /// End one enrollment by its name.
    DeleteEnrollments,
    /// Read an account's audit rows.
    ReadLogs,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 17] = [
        Self::Issue,
        Self::Redeem,
        Self::Read,
        Self::Revoke,
        Self::ReadUsers,
        Self::CreateUsers,
        Self::UpdateUsers,
        Self::DeleteUsers,
        Self::ReadFactors,
        Self::UpdateFactors,
        Self::ReadPolicies,
        Self::UpdatePolicies,
        Self::ReadMethods,
        Self::DeleteMethods,
        Self::ReadEnrollments,
        Self::DeleteEnrollments,
        Self::ReadLogs,
    ];

    /// Those of a host with a login of its own.
    pub const HOST: [Self; 4] = [Self::Issue, Self::Redeem, Self::Read, Self::Revoke];

    /// Its name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Issue => "recovery:issue",
            Self::Redeem => "recovery:redeem",
            Self::Read => "recovery:read",
            Self::Revoke => "recovery:revoke",
            Self::ReadUsers => "read:users",
            Self::CreateUsers => "create:users",
            Self::UpdateUsers => "update:users",
            Self::DeleteUsers => "delete:users",
            Self::ReadFactors => "read:guardian_factors",
            Self::UpdateFactors => "update:guardian_factors",
            Self::ReadPolicies => "read:mfa_policies",
            Self::UpdatePolicies => "update:mfa_policies",
            Self::ReadMethods => "read:authentication_methods",
            Self::DeleteMethods => "delete:authentication_methods",
            Self::ReadEnrollments => "read:guardian_enrollments",
            Self::DeleteEnrollments => "delete:guardian_enrollments",
            Self::ReadLogs => "read:logs_users",
        }
    }

    /// The scope of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    /// Whether it belongs to those who manage the tenant, and not to a host.
    pub fn manages(self) -> bool {
        !Self::HOST.contains(&self)
    }
}

/// How a client gets tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grant {
    /// For itself.
    ClientCredentials,
    /// By a person's login and password.
    Password,
    /// The same, naming where the account lives.
    PasswordRealm,
    /// By a one-time password, behind a proven first factor.
    MfaOtp,
    /// By a recovery code, behind a proven first factor.
    MfaRecoveryCode,
    /// By a refresh token.
    RefreshToken,
}

impl Grant {
    /// Every grant.
    pub const ALL: [Self; 6] = [
        Self::ClientCredentials,
        Self::Password,
        Self::PasswordRealm,
        Self::MfaOtp,
        Self::MfaRecoveryCode,
        Self::RefreshToken,
    ];

    /// Those by which people sign in to a program.
    pub const PEOPLE: [Self; 5] = [
        Self::Password,
        Self::PasswordRealm,
        Self::MfaOtp,
        Self::MfaRecoveryCode,
        Self::RefreshToken,
    ];

    /// Its short name, as it is stored and typed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::Password => "password",
            Self::PasswordRealm => "password-realm",
            Self::MfaOtp => "mfa-otp",
            Self::MfaRecoveryCode => "mfa-recovery-code",
            Self::RefreshToken => "refresh_token",
        }
    }

    /// The grant of this short name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.name() == name)
    }
}
