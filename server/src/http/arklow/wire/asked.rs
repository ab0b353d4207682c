//! The bodies that are asked with, for the OpenAPI document: they are read member by member.

use utoipa::ToSchema;

/// Signs in.
#[derive(ToSchema)]
#[schema(as = ArklowLogin, example = json!({
    "email": "carol@example.com",
    "password": "a password of some length",
}))]
#[expect(dead_code, reason = "described and not built")]
pub(in crate::http::arklow) struct LoginBody {
    /// What the person signs in with.
    email: String,
    /// The password.
    password: String,
}

/// A device to begin with.
#[derive(ToSchema)]
#[schema(as = ArklowStart, example = json!({ "name": "Phone", "device_type": "totp" }))]
#[expect(dead_code, reason = "described and not built")]
pub(in crate::http::arklow) struct StartBody {
    /// What its owner calls it.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// `totp`, or nothing.
    device_type: Option<String>,
}

/// A device and a one-time password of it.
#[derive(ToSchema)]
#[schema(as = ArklowConfirm, example = json!({ "device_id": "72", "code": "492039" }))]
#[expect(dead_code, reason = "described and not built")]
pub(in crate::http::arklow) struct ConfirmBody {
    /// Its number.
    #[schema(pattern = "^[0-9]+$")]
    device_id: String,
    /// Six digits.
    #[schema(pattern = "^[0-9]{6}$")]
    code: String,
}

/// A device and a backup code.
#[derive(ToSchema)]
#[schema(as = ArklowBackup, example = json!({
    "device_id": "71",
    "code": "kz3m q7tb wj5r hxyn",
}))]
#[expect(dead_code, reason = "described and not built")]
pub(in crate::http::arklow) struct BackupBody {
    /// The number of a confirmed one.
    #[schema(pattern = "^[0-9]+$")]
    device_id: String,
    /// In whatever case, with or without dashes and spaces.
    #[schema(min_length = 6)]
    code: String,
}

/// A device.
#[derive(ToSchema)]
#[schema(as = ArklowRegenerate, example = json!({ "device_id": "71" }))]
#[expect(dead_code, reason = "described and not built")]
pub(in crate::http::arklow) struct DeviceBody {
    /// The number of a confirmed one.
    #[schema(pattern = "^[0-9]+$")]
    device_id: String,
}

/// A device to remove, and the proof.
#[derive(ToSchema)]
#[schema(as = ArklowRemove, example = json!({
    "device_id": "71",
    "verification_type": "totp",
    "code": "518204",
}))]
#[expect(dead_code, reason = "described and not built")]
pub(in crate::http::arklow) struct RemoveBody {
    /// Its number.
    #[schema(pattern = "^[0-9]+$")]
    device_id: String,
    /// `totp`.
    verification_type: String,
    /// A one-time password of any confirmed device, or a backup code.
    #[schema(min_length = 6)]
    code: String,
}

/// A key to make.
#[derive(ToSchema)]
#[schema(as = ArklowNewKey, example = json!({ "description": "deploy script" }))]
#[expect(dead_code, reason = "described and not built")]
pub(in crate::http::arklow) struct KeyBody {
    /// What its owner calls it.
    #[schema(min_length = 2, max_length = 50)]
    description: Option<String>,
}
