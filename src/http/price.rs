//! The lines of a price, the same wherever one is shown.

use domain::Price;
use domain::price::{Basis, Kind, Line};
use serde::Serialize;
use utoipa::ToSchema;

/// One line of a price: so many times so much, or so many basis points of so much.
#[derive(Serialize, ToSchema)]
#[schema(as = PriceLine)]
pub(super) struct LineView<'a> {
    kind: &'static str,
    /// The first of these nights.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    from: Option<String>,
    /// Of a tax.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    /// Whether the lines above contain this tax already: it is shown and not added.
    #[serde(skip_serializing_if = "Option::is_none")]
    included: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_amount: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    basis_points: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    of_amount: Option<i64>,
    /// In minor units; below zero for a discount.
    amount: i64,
}

impl<'a> LineView<'a> {
    /// All lines of a price, in their order.
    pub(super) fn all(price: &'a Price) -> Vec<Self> {
        price.lines().iter().map(Self::of).collect()
    }

    fn of(line: &'a Line) -> Self {
        let mut view = Self {
            kind: line.kind.name(),
            from: None,
            name: None,
            included: None,
            quantity: None,
            unit_amount: None,
            basis_points: None,
            of_amount: None,
            amount: line.amount(),
        };
        match &line.kind {
            Kind::Nights { from } => view.from = Some(from.to_string()),
            Kind::Tax { name, included } => {
                view.name = Some(name);
                view.included = Some(*included);
            }
            _ => {}
        }
        match line.basis {
            Basis::Each { quantity, unit } => {
                view.quantity = Some(quantity);
                view.unit_amount = Some(unit);
            }
            Basis::Share { basis_points, of } => {
                view.basis_points = Some(basis_points);
                view.of_amount = Some(of);
            }
        }
        view
    }
}
