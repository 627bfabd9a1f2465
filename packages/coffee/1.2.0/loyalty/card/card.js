// The tenth coffee is on the house.
const FULL = 10

Page({
  data: { stamps: [], left: FULL },

  onShow() {
    const collected = getApp().globalData.stamps % FULL
    const stamps = Array.from({ length: FULL }, (_, i) => i < collected)
    this.setData({ stamps, left: FULL - collected })
  },
})
