//! How a thread that computes for long makes room for everybody else.
//!
//! On Linux such a thread has the idle policy of sched(7): whoever else wants its core goes first, and
//! beside threads that never wait it still gets a three-hundredth of one. That is half of it. The
//! kernel was seen to leave the core to a hash until the clock ticked, 4 ms apart at 250 Hz. So while a
//! hash is computed it stays on one core, and a [`Metronome`] wakes on that core a few thousand times a
//! second; whenever it sleeps again, the kernel asks who should run.
//!
//! Elsewhere a thread has no priority of its own, and nothing here does anything.

#[cfg(target_os = "linux")]
pub use linux::{Metronome, stand_back};
#[cfg(not(target_os = "linux"))]
pub use other::{Metronome, stand_back};

#[cfg(target_os = "linux")]
mod linux {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
    use std::sync::mpsc::{SyncSender, sync_channel};
    use std::sync::{Arc, Weak};
    use std::time::Duration;
    use thread_priority::{
        NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
        set_thread_priority_and_policy, thread_native_id,
    };

    /// About the longest that a woken thread waits for the core of a hash.
    const BEAT: Duration = Duration::from_micros(250);

    /// Has the calling thread run only where nobody else wants to.
    pub fn stand_back() {
        let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        let lowest = ThreadPriority::Min;
        if let Err(error) = set_thread_priority_and_policy(thread_native_id(), lowest, idle) {
            tracing::warn!(%error, "passwords are hashed at the priority of everything else");
        }
    }

    /// Wakes again and again on the core on which something is computed.
    pub struct Metronome {
        begun: Option<SyncSender<Computation>>,
    }

    struct Computation {
        core: CpuSet,
        goes_on: Weak<()>,
    }

    impl Metronome {
        pub fn start() -> Self {
            let begun = thread().inspect_err(|error| {
                tracing::warn!(%error, "who books may wait for who signs in");
            });
            Self { begun: begun.ok() }
        }

        /// Computes something on the calling thread, which stays on its core until then.
        pub fn beside<T>(&self, compute: impl FnOnce() -> T) -> T {
            let Some((begun, anywhere)) = self.begun.as_ref().zip(sched_getaffinity(None).ok())
            else {
                return compute();
            };
            let mut core = CpuSet::new();
            core.set(sched_getcpu());
            let goes_on = Arc::new(());
            if sched_setaffinity(None, &core).is_ok() {
                // It has no room only while it beats for somebody else.
                let _ = begun.try_send(Computation { core, goes_on: Arc::downgrade(&goes_on) });
            }
            let computed = compute();
            drop(goes_on);
            let _ = sched_setaffinity(None, &anywhere);
            computed
        }
    }

    /// The thread ends with its metronome.
    fn thread() -> std::io::Result<SyncSender<Computation>> {
        let (begun, computations) = sync_channel::<Computation>(1);
        let beat = move || {
            for computation in computations {
                let _ = sched_setaffinity(None, &computation.core);
                while computation.goes_on.strong_count() > 0 {
                    std::thread::sleep(BEAT);
                }
            }
        };
        std::thread::Builder::new().name("metronome".to_owned()).spawn(beat)?;
        Ok(begun)
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    pub struct Metronome;

    impl Metronome {
        pub const fn start() -> Self {
            Self
        }

        pub fn beside<T>(&self, compute: impl FnOnce() -> T) -> T {
            compute()
        }
    }

    pub const fn stand_back() {}
}
