//! The rules of renting against naive models and written-out tables: the status machine
//! ([`status`]), the calendar ([`calendar`]), events in bytes ([`codec`]), refusals ([`refusal`]),
//! rules and their layers ([`terms`]), in pairs ([`pairs`]) and where local time has edges
//! ([`edges`]), money ([`money`], [`price`], [`quotes`]), names ([`names`]), changes of bookings
//! ([`change`]), edits of calendars ([`edit_calendar`]), reviews ([`review`]), what a command
//! decides ([`decision`]) and the two machines where they stand alone ([`lane`], [`property`]).

mod calendar;
mod change;
mod codec;
mod decision;
mod edges;
mod edit;
mod edit_calendar;
mod given;
mod lane;
mod money;
mod names;
mod pairs;
mod price;
mod property;
mod quotes;
mod refusal;
mod review;
mod status;
mod terms;
