//! The bodies that are asked with, for the OpenAPI document: they are read member by member.

use utoipa::ToSchema;

macro_rules! asked {
    ($(#[$about:meta])* $name:ident as $shown:ident, $example:tt { $($(#[$said:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(ToSchema)]
        #[schema(as = $shown, example = json!($example))]
        #[expect(dead_code, reason = "described and not built")]
        pub(in crate::http::canopy) struct $name {
            $($(#[$said])* $field: $type,)*
        }
    };
}

asked! {
    /// Signs in.
    LoginBody as CanopyLogin,
    {
        "account_slug": "dev",
        "email": "carol@example.com",
        "password": "a password of some length",
    } {
        /// The tenant.
        #[schema(min_length = 1)]
        account_slug: String,
        #[schema(min_length = 1)]
        email: String,
        #[schema(min_length = 1)]
        password: String,
    }
}

asked! {
    /// Answers a challenge.
    AnswerBody as CanopyAnswer,
    { "challenge_token": "9fJq0T5vYbC1dE2fG3hI4jK5lM6nO7pQ8rS9tU0vWxY", "code": "492039" } {
        #[schema(min_length = 1)]
        challenge_token: String,
        /// Six digits; of a recovery code, in whatever case, with or without dashes and spaces.
        #[schema(min_length = 1, max_length = 256)]
        code: String,
        /// Whether this device is not to be asked again for some days. A recovery code trusts none.
        remember_device: Option<bool>,
    }
}

asked! {
    /// Confirms an authenticator.
    ConfirmBody as CanopyConfirm,
    {
        "enrollment_token": "en_2hVpQ1Yk4mXo7cJ3nZr8tWb5dLs0gEaUiFhKqPvNyMx",
        "code": "492039",
        "label": "Pixel",
    } {
        #[schema(min_length = 1)]
        enrollment_token: String,
        /// Six digits.
        #[schema(min_length = 1, max_length = 256)]
        code: String,
        /// What its owner calls it.
        #[schema(min_length = 1, max_length = 64)]
        label: String,
    }
}

asked! {
    /// Proves a factor for one change.
    StepUpBody as CanopyStepUp,
    { "factor": "totp", "code": "518204" } {
        /// `totp` or `recovery_code`; a recovery code is spent.
        factor: String,
        #[schema(min_length = 1, max_length = 256)]
        code: String,
    }
}

asked! {
    /// Signs an administrator's program in.
    AdminLoginBody as CanopyAdminLogin,
    { "email": "dev-management", "password": "dev-management-secret" } {
        /// The client's identifier.
        #[schema(min_length = 1)]
        email: String,
        /// Its secret.
        #[schema(min_length = 1)]
        password: String,
    }
}

asked! {
    /// What to change; what is left out stays.
    EnvironmentBody as CanopyEnvironmentChange,
    { "mfa": { "mfa_required": true, "mfa_trusted_device_days": 14 } } {
        #[schema(min_length = 1, max_length = 64)]
        name: Option<String>,
        #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$")]
        slug: Option<String>,
        #[schema(inline)]
        mfa: Option<MfaBody>,
    }
}

asked! {
    /// What is asked of people.
    MfaBody as CanopyMfaChange,
    { "mfa_required": true } {
        mfa_required: Option<bool>,
        /// Days.
        #[schema(maximum = 365)]
        mfa_grace_period_days: Option<u32>,
        /// Days; 0: no device is trusted.
        #[schema(maximum = 365)]
        mfa_trusted_device_days: Option<u32>,
        /// `totp`, `webauthn`; one at least.
        #[schema(min_items = 1)]
        mfa_factor_allowlist: Option<Vec<String>>,
    }
}
