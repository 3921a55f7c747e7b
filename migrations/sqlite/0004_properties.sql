-- What finds a property by its page, and the event that made it as it is.

alter table property add column changed_seq integer not null default 1;
-- The city in small letters, so that a search need not know how its host wrote it.
alter table property add column city_key text not null default '';
update property set city_key = lower(city);

create index property_of_city on property (city_key, price_per_night);
create index property_of_city_newest on property (city_key, created_at desc, property_id desc);

create table property_amenity (
    amenity text not null,
    -- Of the property: the order of lists.
    created_at integer not null,
    property_id blob not null,
    primary key (amenity, created_at, property_id)
) strict, without rowid;

insert into property_amenity (amenity, created_at, property_id)
select distinct slug.value, property.created_at, property.property_id
from property, json_each(property.amenities) as slug;
