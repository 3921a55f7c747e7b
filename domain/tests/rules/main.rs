//! The rules of renting against naive models and written-out tables: the status machine
//! ([`status`]), the calendar ([`calendar`]), events in bytes ([`codec`]), refusals ([`refusal`]),
//! money ([`money`]), reviews ([`review`]), what a command decides ([`decision`]) and the two
//! machines where they stand alone ([`lane`], [`property`]).

mod calendar;
mod codec;
mod decision;
mod edit;
mod given;
mod lane;
mod money;
mod property;
mod refusal;
mod review;
mod status;
