//! What this kind of machine cannot run, and the command that runs it elsewhere.
//!
//! Contract: the one list of things `cargo xtask test` leaves out. Whatever is not on it and could
//! not run is a failure, so a line here is the only way to skip something, and it is never silent.

/// Something left out: what, why it cannot run here, and how to run it where it can.
struct Elsewhere {
    what: &'static str,
    why: &'static str,
    command: &'static str,
}

const LIST: &[Elsewhere] = &[];

/// Prints the list, loudly; prints nothing when it is empty.
pub(crate) fn print() {
    if LIST.is_empty() {
        return;
    }
    println!("\n!!! NOT RUN ON THIS MACHINE !!!");
    for Elsewhere { what, why, command } in LIST {
        println!("!!! {what}: {why}; run it with `{command}`");
    }
}
