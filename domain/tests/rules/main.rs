//! The rules of renting against naive models and written-out tables: the status machine
//! ([`status`]), the calendar ([`calendar`]), events in bytes ([`codec`]), refusals ([`refusal`]),
//! rules and their layers ([`terms`]), in pairs ([`pairs`]) and where local time has edges
//! ([`edges`]), money ([`money`], [`price`], [`quotes`]), names ([`names`]), changes of bookings
//! ([`change`], [`request`]), edits of calendars ([`edit_calendar`]), what was before ([`past`]),
//! reviews ([`review`]), what is done about payments ([`settlement`]), places ([`place`]), what a
//! guest may hold ([`hoarding`]), what a command decides ([`decision`]) and the two machines where
//! they stand alone ([`lane`], [`property`]).

mod calendar;
mod change;
mod codec;
mod decision;
mod edges;
mod edit;
mod edit_calendar;
mod given;
mod hoarding;
mod jobs;
mod lane;
mod money;
mod names;
mod pairs;
mod past;
mod place;
mod price;
mod property;
mod quotes;
mod refusal;
mod request;
mod review;
mod settlement;
mod status;
mod terms;
