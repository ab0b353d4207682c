//! The tenant that requests are sent to: people and programs of every dialect, and what they know.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use spare_key_tests::auth0::PASSWORD;
use spare_key_tests::{App, HOST, Options};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// The proxy that is believed; requests come from it.
pub const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

/// After so many inputs another process takes over, which has counted nothing.
const INPUTS: usize = 16;

/// Where the log goes.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// What was logged since it was last asked.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// The product with its tenant, and what requests may name.
#[derive(Debug)]
pub struct Fixture {
    /// The product, and how many inputs it has answered.
    app: Mutex<(App, usize)>,
    /// The tenant as every input finds it.
    before: Mutex<Connection>,
    /// What each name in braces stands for.
    pub named: BTreeMap<String, String>,
    /// The names among them that nobody else may learn.
    pub secrets: Vec<&'static str>,
    /// Everything that is logged, at every level.
    pub log: Log,
}

impl Fixture {
    /// The product, with the tenant as it was built, whatever became of it since.
    pub fn begin(&self) -> App {
        let mut app = self.app.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let mut database = Connection::open(app.0.database()).expect("the database");
        let backup = Backup::new(&before, &mut database).expect("both of them");
        let done = backup.step(-1).expect("a copy");
        assert_eq!(done, StepResult::Done);
        drop(backup);
        // What is kept in memory alone is how often programs may manage.
        app.1 += 1;
        if app.1.is_multiple_of(INPUTS) {
            app.0 = app.0.another();
        }
        app.0.clone()
    }

    /// Builds it, once a process.
    pub async fn build() -> Self {
        let log = Log::default();
        let filter = EnvFilter::new("trace");
        let lines = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(false)
            .with_writer(log.clone());
        lines.init();
        let options = Options {
            trusted_proxies: vec![PROXY],
            ..Options::default()
        };
        let app = App::start_with(options).await;
        let mut named = BTreeMap::new();
        let mut keep = |name: &str, value: &str| named.insert(name.to_owned(), value.to_owned());
        keep("password", PASSWORD);
        keep("host-secret", HOST.1);

        let (_, codes) = app.host().issue("customer").await;
        keep("code", &codes[0]);
        keep("other-code", &codes[1]);

        let dora = app.enrolled("dora").await;
        keep("dora-code", &dora.code);
        keep("dora-secret", &dora.secret);
        let program = app.program();
        let all = "openid profile email offline_access enroll read:authenticators \
                   remove:authenticators read:me:authentication_methods read:me:factors \
                   create:me:authentication_methods";
        for (name, path) in [("me", "me/"), ("mfa", "mfa/")] {
            keep(name, &program.access(&dora, path, all).await.token);
        }
        let answer = program.sign_in_by_otp(&dora, &[("scope", all)]).await;
        keep("userinfo", answer.expect(200).text_of("access_token"));
        keep("machine", &app.manager().await.token);
        keep("portal", &app.portal().await.access);

        let (_, erin) = app.arklow_person("erin").await;
        keep("key", &erin.credential);
        let fay = app.add_person("fay").await;
        keep("session", &app.arklow_session(&fay).await.credential);
        let (_, gus) = app.canopy_person("gus").await;
        let factor = gus.enroll("phone").await;
        keep("identity", &gus.access);
        keep("gus-secret", &factor.secret);
        keep("gus-code", &factor.codes[0]);
        keep("now", &app.time(spare_key_server::model::Millis(0)));
        let secrets = vec![
            "password",
            "host-secret",
            "code",
            "other-code",
            "dora-code",
            "dora-secret",
            "me",
            "mfa",
            "userinfo",
            "machine",
            "portal",
            "key",
            "session",
            "identity",
            "gus-secret",
            "gus-code",
        ];
        // What building it logged is nobody's business here.
        log.take();
        let before = app.database().with_extension("before");
        let database = Connection::open(app.database()).expect("the database");
        let kept = database.execute("VACUUM INTO ?1", [before.to_string_lossy()]);
        kept.expect("a copy");
        let before = Connection::open(before).expect("the copy");
        Self {
            app: Mutex::new((app, 0)),
            before: Mutex::new(before),
            named,
            secrets,
            log,
        }
    }
}
