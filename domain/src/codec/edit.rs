//! An edited calendar in bytes.

use super::{CodecError, Read, Reader, Writer};
use crate::block::{Block, Reason};
use crate::edit::{Edited, Offer};
use crate::{BlockId, Stay};

impl Writer {
    pub(super) fn edited(&mut self, edited: &Edited) {
        self.length(edited.terms.len());
        for (night, terms) in &edited.terms {
            self.night(*night);
            self.terms(terms);
        }
        self.length(edited.blocked.len());
        for block in &edited.blocked {
            self.uuid(block.id.0);
            self.night(block.nights.check_in());
            self.night(block.nights.check_out());
            self.u8(block.reason as u8);
        }
        self.length(edited.unblocked.len());
        for id in &edited.unblocked {
            self.uuid(id.0);
        }
    }

    pub(super) fn offer(&mut self, offer: &Offer) {
        self.night(offer.from);
        self.night(offer.to);
        self.terms(&offer.terms);
    }
}

impl Reader<'_> {
    pub(super) fn edited(&mut self) -> Read<Edited> {
        Ok(Edited {
            terms: self.list(|r| Ok((r.night()?, r.terms()?)))?,
            blocked: self.list(Self::block)?,
            unblocked: self.list(|r| r.uuid().map(BlockId))?,
        })
    }

    fn block(&mut self) -> Read<Block> {
        let id = BlockId(self.uuid()?);
        let (from, to) = (self.night()?, self.night()?);
        let nights = Stay::new(from, to).map_err(|_| CodecError::Value("block"))?;
        let reason = usize::from(self.u8()?);
        let reason = *Reason::ALL.get(reason).ok_or(CodecError::Value("reason"))?;
        Ok(Block { id, nights, reason })
    }

    pub(super) fn offer(&mut self) -> Read<Offer> {
        Ok(Offer { from: self.night()?, to: self.night()?, terms: self.terms()? })
    }
}
