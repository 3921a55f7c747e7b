//! People as values. Their accounts are written straight into the database under one password hash,
//! and their tokens are signed here with the server's secret, so that a thousand cost nothing.

use super::Server;
use domain::{Instant, UserId};
use futures_util::{StreamExt, stream};
use reqwest::Method;
use secrecy::SecretString;
use std::sync::LazyLock;
use vacancy::auth::tokens::Tokens;
use vacancy::clock::Clock;
use vacancy::ids::Ids;
use vacancy::store::accounts::{Account, Role};
use vacancy::store::{Store, StoreOptions};

/// The secret of every server under test.
pub(crate) const SECRET: &str = "kR7vQ2mXw9ZpL4tYs8Nc1HbJd6FgTe3A";

/// The password of everybody here.
pub(crate) const PASSWORD: &str = "eleven grey herons";

/// Argon2id of `PASSWORD` with the product's parameters.
const PASSWORD_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$6K60lsN8r/+1A+f2AI9NxQ$VlM9vaNOyzL/a/t0ZhW3pPVLAUmboQciaRP8CuONyjQ";

/// Accounts that are written at a time: as many as the store has connections.
const AT_ONCE: usize = 8;

static TOKENS: LazyLock<Tokens> = LazyLock::new(|| Tokens::new(&SecretString::from(SECRET)));

/// Somebody with an account.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) role: Role,
    pub(crate) email: String,
}

/// The time on the wall.
pub(crate) fn now() -> Instant {
    Clock::wall()
}

/// A token for somebody, issued at this time.
pub(crate) fn mint(person: &Person, at: Instant) -> String {
    TOKENS.issue(person.id, person.role, person.id.0, at)
}

impl Server {
    /// A guest with an account.
    pub(crate) async fn guest(&self) -> Person {
        self.people(Role::Guest, 1).await.remove(0)
    }

    /// A host with an account.
    pub(crate) async fn host(&self) -> Person {
        self.people(Role::Host, 1).await.remove(0)
    }

    /// An administrator with an account.
    pub(crate) async fn admin(&self) -> Person {
        self.people(Role::Admin, 1).await.remove(0)
    }

    /// So many people of one role.
    pub(crate) async fn people(&self, role: Role, count: usize) -> Vec<Person> {
        let store = self.store().await;
        let ids = Ids::new(Clock::new(now(), false));
        let people: Vec<Person> = (0..count)
            .map(|_| {
                let id = ids.user();
                Person { id, role, email: format!("{id}@example.com") }
            })
            .collect();
        let inserting =
            people.iter().map(|person| store.insert_account(account(person), None, None));
        let mut inserted = stream::iter(inserting).buffer_unordered(AT_ONCE);
        while let Some(inserted) = inserted.next().await {
            inserted.expect("an account");
        }
        drop(inserted);
        people
    }

    /// The server's database, beside the server.
    pub(super) async fn store(&self) -> Store {
        let runtime = tokio::runtime::Handle::current();
        let url = self.storage().url();
        Store::connect(&url, runtime, StoreOptions::default()).await.expect("a store")
    }

    /// A token of somebody whose session has been ended.
    pub(crate) async fn revoked(&self, person: &Person) -> String {
        let at = now().plus(self.moved());
        let session = Ids::new(Clock::new(at, false)).fresh();
        let token = TOKENS.issue(person.id, person.role, session, at);
        self.ask(Method::POST, "/api/v1/auth/logout").token(&token).await.expect(204);
        token
    }
}

fn account(person: &Person) -> Account {
    Account {
        id: person.id,
        email: person.email.clone(),
        password_hash: PASSWORD_HASH.to_owned(),
        first_name: "Ada".to_owned(),
        last_name: "Lovelace".to_owned(),
        role: person.role,
        verified_at: None,
        version: 1,
        created_at: now(),
    }
}
