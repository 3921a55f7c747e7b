//! What waits for one connection.
//!
//! An actor of a WebSocket is not polled while its client does not read (actix-web issue 2441), so
//! nothing that grows may wait in its mailbox. What waits stands here: a bounded number of notices,
//! and flags. That a calendar moved is not even noted, only that the actor has to look: its channels
//! know what is next. It looks when its task is woken; a message to it would be allocated by the one
//! thread and freed by another, ten thousand times for each change.

use crate::auth::tokens::Claims;
use crate::feed::{Notice, Reader, Side, Subscriber};
use futures_util::Stream;
use futures_util::task::AtomicWaker;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Notices that may wait for a client before it is told to read its list again.
const NOTICES: usize = 128;

/// Something has been put into the slot.
pub(super) struct Look;

/// Says [`Look`] whenever there is something to look for, without end.
pub(super) struct Looks(pub(super) Arc<Slot>);

/// The place where things wait for one connection, and what a watchdog must know about it.
pub(super) struct Slot {
    /// Tells connections apart.
    pub(super) number: u64,
    opened: Instant,
    /// Milliseconds from `opened` to the last frame from the client.
    heard: AtomicU64,
    /// The pings since then.
    pings: AtomicUsize,
    signed: Mutex<Option<Claims>>,
    waiting: Mutex<Waiting>,
    /// Something was put into `waiting` and has not been taken out.
    is_filled: AtomicBool,
    /// There is something to look for and the task was woken, but has not come yet.
    is_called: AtomicBool,
    task: AtomicWaker,
    /// The connection has ended.
    is_left: AtomicBool,
}

/// What waits.
#[derive(Default)]
pub(super) struct Waiting {
    pub(super) notices: VecDeque<(Side, Arc<Notice>)>,
    /// The sides whose notices found no room.
    pub(super) lost: Vec<Side>,
    pub(super) ping: bool,
    /// The session of who signed in here has ended.
    pub(super) ended: bool,
    pub(super) close: Option<Closing>,
}

/// Why the server closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    /// The server stops.
    Stopping,
    /// Two pings were not answered.
    Silent,
}

impl Slot {
    pub(super) fn new(number: u64) -> Self {
        Self {
            number,
            opened: Instant::now(),
            heard: AtomicU64::new(0),
            pings: AtomicUsize::new(0),
            signed: Mutex::default(),
            waiting: Mutex::default(),
            is_filled: AtomicBool::new(false),
            is_called: AtomicBool::new(false),
            task: AtomicWaker::new(),
            is_left: AtomicBool::new(false),
        }
    }

    /// The client said something.
    pub(super) fn hear(&self) {
        let since = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard.store(since, Ordering::Relaxed);
        self.pings.store(0, Ordering::Relaxed);
    }

    /// A time between these that is this connection's: neighbours in number are far apart in it.
    pub(super) fn spread(&self, from: Duration, to: Duration) -> Duration {
        let span = u64::try_from((to - from).as_millis()).unwrap_or(u64::MAX).max(1);
        from + Duration::from_millis(self.number.wrapping_mul(7_919) % span)
    }

    /// Whether fewer pings than these have gone out since the client was heard; they count as sent.
    pub(super) fn owes_ping(&self, due: usize) -> bool {
        self.pings.fetch_max(due, Ordering::Relaxed) < due
    }

    /// For how long the client has said nothing.
    pub(super) fn silence(&self) -> Duration {
        let heard = Duration::from_millis(self.heard.load(Ordering::Relaxed));
        self.opened.elapsed().saturating_sub(heard)
    }

    /// Who signed in on this connection.
    pub(super) fn signed(&self) -> Option<Claims> {
        *locked(&self.signed)
    }

    pub(super) fn sign(&self, claims: Option<Claims>) {
        *locked(&self.signed) = claims;
    }

    /// Takes out what waits: nothing where only a calendar has moved.
    pub(super) fn take(&self) -> Option<Waiting> {
        let is_filled = self.is_filled.swap(false, Ordering::AcqRel);
        is_filled.then(|| std::mem::take(&mut *locked(&self.waiting)))
    }

    /// Takes out notices that are nobody's any more.
    pub(super) fn forget_notices(&self) {
        let mut waiting = locked(&self.waiting);
        waiting.notices.clear();
        waiting.lost.clear();
    }

    /// Puts something in, and has the actor look; `false` when it is gone.
    pub(super) fn put(&self, put: impl FnOnce(&mut Waiting)) -> bool {
        put(&mut locked(&self.waiting));
        self.is_filled.store(true, Ordering::Release);
        self.wake()
    }

    /// Nothing that is put in from now on is looked for.
    pub(super) fn leave(&self) {
        self.is_left.store(true, Ordering::Relaxed);
    }
}

impl Stream for Looks {
    type Item = Look;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Look>> {
        // In this order: what is put in after the question wakes.
        self.0.task.register(context.waker());
        if self.0.is_called.swap(false, Ordering::AcqRel) {
            Poll::Ready(Some(Look))
        } else {
            Poll::Pending
        }
    }
}

impl Subscriber for Slot {
    fn wake(&self) -> bool {
        let is_here = !self.is_left.load(Ordering::Relaxed);
        if is_here && !self.is_called.swap(true, Ordering::AcqRel) {
            self.task.wake();
        }
        is_here
    }
}

impl Reader for Slot {
    fn tell(&self, side: Side, notice: &Arc<Notice>) -> bool {
        self.put(|waiting| {
            if waiting.lost.contains(&side) {
                // The list is read again anyway.
            } else if waiting.notices.len() < NOTICES {
                waiting.notices.push_back((side, Arc::clone(notice)));
            } else {
                waiting.notices.retain(|(of, _)| *of != side);
                waiting.lost.push(side);
            }
        })
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
