App({
  globalData: { cart: [] },

  onLaunch() {
    this.globalData.cart = wx.getStorageSync('cart') || []
  }
})
